"""The local web page `herdbook app`: its server, which looks at movies live, and the page itself in `static`."""
