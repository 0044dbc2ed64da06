// Compresses files as mongodump --gzip does where that is not installed: Go's gzip at its default level, each file by itself.
// Prints the number of bytes that come out of all of them:  go run mongodump_gzip.go FILE…
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"os"
)

type counter int64

func (c *counter) Write(bytes []byte) (int, error) {
	*c += counter(len(bytes))
	return len(bytes), nil
}

func main() {
	var total counter
	for _, name := range os.Args[1:] {
		in, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		out := gzip.NewWriter(&total)
		if _, err = io.Copy(out, in); err == nil {
			err = out.Close()
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(int64(total))
}
