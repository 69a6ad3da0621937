"""What every black-box suite stands on: a hub of its own, people with tokens, and bytes on the wire."""
