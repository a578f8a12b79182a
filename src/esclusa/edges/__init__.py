"""Where the world meets the capabilities: HTTP, pages, consoles, foreign protocols. Nothing else knows a framework."""
