"""What the worlds of end-to-end tests are made of: buckets, rules, and the faults that are asked for."""

from typing import Any


def rule(source: str, destination: str, **fields: Any) -> dict[str, Any]:
    """Return a rule for every object, without its delete markers; `Destination` may add to the bucket."""
    target = {"Bucket": f"arn:aws:s3:::{destination}", **fields.pop("Destination", {})}
    return {
        "ID": f"{source} to {destination}",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": target,
        **fields,
    }


def bucket(name: str, **fields: Any) -> dict[str, Any]:
    """Return a bucket in the Region that its name says."""
    return {"name": name, "region": "us-east-1" if name.endswith("east") else "us-west-2", **fields}


def fault(operation: str, then: dict[str, Any], service: str = "s3", **fields: Any) -> dict[str, Any]:
    """Return a fault that only the functions meet; `POST /_emulator/faults` takes it."""
    return {"service": service, "operation": operation, "principal": "replicator", "then": then, **fields}
