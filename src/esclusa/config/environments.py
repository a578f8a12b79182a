"""What a connector is like in one environment: `[connectors.NAME.environments.pro]` laid over its other keys."""

from __future__ import annotations

from esclusa.config.tree import Node, overlay


def environments(root: Node) -> list[str]:
    """The environments that the connectors name, in the order of the file."""
    return list(dict.fromkeys(name for node in root.table("connectors").values() for name in node.table("environments")))


def in_environment(root: Node, environment: str | None) -> Node:
    """`root` with every connector as it is in `environment`; tables are joined, anything else replaced."""
    connectors = root.table("connectors")
    if not connectors:
        return root
    laid = {name: _connector(node, environment) for name, node in connectors.items()}
    return Node(root.place, {**root.table(), "connectors": Node(root.where("connectors"), laid)})


def _connector(node: Node, environment: str | None) -> Node:
    given = node.find("environments")
    if (
        given is None
        or not isinstance(given.value, dict)
        or not all(isinstance(below.value, dict) for below in given.value.values())
    ):
        return node  # the shape of it is wrong, and will be found so
    plain = Node(node.place, {name: below for name, below in node.table().items() if name != "environments"})
    over = given.value.get(environment)
    return plain if over is None else overlay(plain, over)
