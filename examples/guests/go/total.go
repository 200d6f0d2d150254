// Its host answers ask(), now or later. A goroutine that waits for an answer holds up all of them.
package main

import "fmt"

//go:wasmimport env ask
func ask(question int32) int32

func main() {
	answers := make(chan int32)
	go func() {
		for i := int32(1); i <= 4; i++ {
			answers <- ask(i)
		}
		close(answers)
	}()
	sum := int32(0)
	for answer := range answers {
		sum += answer
	}
	fmt.Println("=", sum)
}
