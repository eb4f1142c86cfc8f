package generationtest_test

import (
	"context"
	"fmt"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func Example() {
	ctx := context.Background()
	gemini, err := generationtest.Start(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gemini.Close()
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: gemini.Key(), Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: gemini.URL()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	gemini.Enqueue(generationtest.Text("Sunny."))
	for _, prompt := range []string{"How is the weather?", "Really?"} {
		answer, err := client.Models.GenerateContent(ctx, "gemini-2.5-flash", genai.Text(prompt), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(answer.Text())
	}
	fmt.Println(len(gemini.Requests()), "requests")
	// Output:
	// Sunny.
	// This is a stand-in for Gemini, not a model. You said: “Really?”
	// 2 requests
}
