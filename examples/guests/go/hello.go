// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	fmt.Println("arguments:", strings.Join(os.Args[1:], " "))

	file, err := os.Create("/data/names.txt")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	count := 0
	fmt.Print("Name? ")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); fmt.Print("Name? ") {
		fmt.Printf("Hello, %s!\n", lines.Text())
		fmt.Fprintln(file, lines.Text())
		count++
	}
	file.Close()
	fmt.Printf("\n%d names in /data/names.txt\n", count)
	if count != 2 {
		os.Exit(1)
	}
	os.Exit(42)
}
