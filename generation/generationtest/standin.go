package generationtest

// standIn answers a request for which nothing is scripted.
func standIn(*ask) Reply { return Text("This is a stand-in for Gemini.") }
