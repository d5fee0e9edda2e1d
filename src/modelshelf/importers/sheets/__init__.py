"""What a catalogue of sheets (`# Kind handle`, labels, text) holds: one module a kind of sheet."""
