"""Tests with files that were made to do harm."""
