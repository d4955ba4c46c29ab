"""Speaks to the outside: MCP over stdio, SSE and Streamable HTTP, the command line, assembly of the parts."""
