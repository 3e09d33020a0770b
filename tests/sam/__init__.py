"""Tests of what SAM CLI does with the template: builds, containers, deployments.

Belongs here: only what needs the real tool, as each test is slow. Needs Python 3.13 and, for containers, a Docker
engine; without them the tests are skipped, and on CI they fail.
"""
