"""What SAM CLI does with the template: builds, containers, deployments. Needs Python 3.13 and a Docker engine."""
