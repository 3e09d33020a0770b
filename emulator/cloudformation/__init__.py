"""CloudFormation: the SAM transform, intrinsic functions, stacks, and the resources that they create."""
