"""Loads every module of the client that openapi-python-client makes of openapi.json, and looks at the types of a few."""

import importlib
import inspect
import pkgutil

import tidings_client
from tidings_client.api.conversations import open_direct_conversation_v1
from tidings_client.api.events import list_conversation_events, list_conversation_events_v1, sync_events

for module in pkgutil.walk_packages(tidings_client.__path__, "tidings_client."):
    importlib.import_module(module.name)

TYPES = {
    sync_events: "Events",
    list_conversation_events: "ConversationEvents",
    list_conversation_events_v1: "ListConversationEventsEnvelope",
    open_direct_conversation_v1: "OpenDirectConversationEnvelope",
}
for module, wanted in TYPES.items():
    found = str(inspect.signature(module.sync).return_annotation)
    assert wanted in found, f"{module.__name__} returns {found}, not {wanted}"
