"""Plug-ins that turn a Profile into something to read: a page and a table."""
