"""Tells what has happened in the shop: the newest notifications, from events in the queue."""
