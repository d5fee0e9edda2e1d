"""What a catalogue of articles (front matter or HTML around an article with example code) holds."""
