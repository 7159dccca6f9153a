// franz-go under measurement, as a program of its own: see bench/support/commands.js for what it is told.
//
// Mode `callback`: Produce with a promise for each record. The most records that may be unsettled are its
// MaxBufferedRecords, at which Produce waits.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const module = "github.com/twmb/franz-go"

type payload struct{ key, value []byte }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func arguments() map[string]string {
	found := map[string]string{}
	for _, word := range os.Args[1:] {
		name, value, _ := strings.Cut(word, "=")
		found[name] = value
	}
	return found
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

// readPayloads reads a file of bench/support/payload-file.js.
func readPayloads(path string) []payload {
	content, err := os.ReadFile(path)
	check(err)
	next := func() int32 {
		value := int32(binary.BigEndian.Uint32(content))
		content = content[4:]
		return value
	}
	field := func() []byte {
		length := next()
		if length < 0 {
			return nil
		}
		bytes := content[:length:length]
		content = content[length:]
		return bytes
	}
	ring := make([]payload, next())
	for i := range ring {
		ring[i].key = field()
		ring[i].value = field()
	}
	return ring
}

// codecOf leaves zstd at its default, which its package calls the equivalent of zstd's level 3: the levels
// that WithLevel takes are others.
func codecOf(name string) kgo.CompressionCodec {
	switch name {
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

func version() string {
	build, _ := debug.ReadBuildInfo()
	for _, each := range build.Deps {
		if each.Path == module {
			number, language := strings.TrimPrefix(each.Version, "v"), strings.TrimPrefix(runtime.Version(), "go")
			return "franz-go " + number + ", Go " + language
		}
	}
	return "franz-go"
}

func main() {
	given := arguments()
	ring := readPayloads(given["payloads"])
	mask := len(ring) - 1
	topic := given["topic"]
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(given["bootstrapServers"], ",")...),
		kgo.ProducerLinger(time.Duration(number(given["lingerMs"]))*time.Millisecond),
		kgo.ProducerBatchMaxBytes(int32(number(given["batchBytes"]))),
		kgo.ProducerBatchCompression(codecOf(given["compression"])),
		kgo.MaxBufferedRecords(number(given["unsettledMax"])),
	)
	check(err)
	ctx := context.Background()
	settled := func(_ *kgo.Record, err error) { check(err) }

	fmt.Printf("{\"version\":%q}\n", version())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, isRun := strings.CutPrefix(lines.Text(), "run ")
		if !isRun {
			break
		}
		records := number(text)
		for i := 0; i < records; i++ {
			each := &ring[i&mask]
			client.Produce(ctx, &kgo.Record{Topic: topic, Key: each.key, Value: each.value}, settled)
		}
		check(client.Flush(ctx))
		fmt.Printf("{\"records\":%d}\n", records)
	}
	client.Close()
}
