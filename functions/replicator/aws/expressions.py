"""DynamoDB's expressions as values: what an update changes, and under which condition.

Separate from the journal so that its conditions can carry names, and so that placeholders are made in one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Json = Mapping[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression and the values that it compares with."""

    expression: str
    compared: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Update:
    """What an update sets, which attribute it removes and which it counts up by one; empty names: none."""

    values: Json
    remove: str = ""
    count: str = ""

    def expression(self) -> str:
        """Write the update expression. Names are placeholders throughout: DynamoDB reserves many words."""
        parts = ["SET " + ", ".join(f"#{name} = :{name}" for name in self.values)]
        parts += [f"REMOVE {self.remove}"] if self.remove else []
        parts += [f"ADD {self.count} :one"] if self.count else []
        return " ".join(parts)

    def arguments(self, condition: Condition) -> dict[str, Any]:
        """Return the arguments of UpdateItem, without table and key."""
        compared = {**condition.compared, **({":one": 1} if self.count else {})}
        named = {*self.values, *({"status"} if "#status" in condition.expression else ())}
        values = {**{f":{name}": value for name, value in self.values.items()}, **compared}
        return {
            "UpdateExpression": self.expression(),
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in sorted(named)},
            "ExpressionAttributeValues": {name: _serialize(value) for name, value in values.items()},
        }


def plain(item: Json) -> dict[str, Any]:
    """Read an item in DynamoDB's own form."""
    return {name: _deserialize(value) for name, value in item.items()}
