"""How values flow through a recorded pass: where branches part and meet, and which axis went where."""
