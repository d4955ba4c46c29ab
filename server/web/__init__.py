"""What programs other than MCP hosts reach over HTTP: gateways that call back."""
