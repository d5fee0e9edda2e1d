"""What a hub's page says in Markdown: one module a kind of fact, none of which knows a hub."""
