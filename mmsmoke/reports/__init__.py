"""Tables, charts, sheets and pages made of results."""
