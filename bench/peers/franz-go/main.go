// franz-go under measurement, as a program of its own: see bench/support/commands.js for what it is told.
//
// Mode `callback`: Produce with a promise for each record. The most records that may be unsettled are its
// MaxBufferedRecords, at which Produce waits. Mode `paced`: ProduceSync of one record at a time.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
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

// ring has a power of two of elements; none of them is used where it has none.
type ring [][]byte

func (r ring) at(i int) []byte { return r[i&(len(r)-1)] }

type payloads struct{ keys, values, traces ring }

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
func readPayloads(path string) payloads {
	content, err := os.ReadFile(path)
	check(err)
	next := func() int32 {
		value := int32(binary.BigEndian.Uint32(content))
		content = content[4:]
		return value
	}
	readRing := func() ring {
		found := make(ring, next())
		for i := range found {
			if length := next(); length >= 0 {
				found[i] = content[:length:length]
				content = content[length:]
			}
		}
		return found
	}
	return payloads{keys: readRing(), values: readRing(), traces: readRing()}
}

// codecOf leaves gzip at its default level, and zstd at its own, which its package calls the equivalent of zstd's level 3: the levels
// that WithLevel takes are others.
func codecOf(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

// tlsOptions checks the broker's certificate against the authority in the file.
func tlsOptions(file string) []kgo.Opt {
	if file == "" {
		return nil
	}
	certificate, err := os.ReadFile(file)
	check(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		check(errors.New("no certificate in " + file))
	}
	return []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: pool})}
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

var contentType = []byte("application/json")

func recordMaker(topic string, rings payloads) func(i int) *kgo.Record {
	hasHeaders := len(rings.traces) > 0
	return func(i int) *kgo.Record {
		record := &kgo.Record{Topic: topic, Key: rings.keys.at(i), Value: rings.values.at(i)}
		if hasHeaders {
			record.Headers = []kgo.RecordHeader{
				{Key: "traceparent", Value: rings.traces.at(i)},
				{Key: "content-type", Value: contentType},
			}
		}
		return record
	}
}

func produce(client *kgo.Client, one func(i int) *kgo.Record, records int) string {
	ctx := context.Background()
	settled := func(_ *kgo.Record, err error) { check(err) }
	for i := 0; i < records; i++ {
		client.Produce(ctx, one(i), settled)
	}
	check(client.Flush(ctx))
	return ""
}

func main() {
	given := arguments()
	rings := readPayloads(given["payloads"])
	topic := given["topic"]
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(given["bootstrapServers"], ",")...),
		kgo.ProducerLinger(time.Duration(number(given["lingerMs"])) * time.Millisecond),
		kgo.ProducerBatchMaxBytes(int32(number(given["batchBytes"]))),
		kgo.ProducerBatchCompression(codecOf(given["compression"])),
		kgo.MaxBufferedRecords(number(given["unsettledMax"])),
	}
	client, err := kgo.NewClient(append(options, tlsOptions(given["ca"])...)...)
	check(err)
	one := recordMaker(topic, rings)
	run := func(records int) string { return produce(client, one, records) }
	if given["mode"] == "paced" {
		rate := number(given["rate"])
		run = func(records int) string { return paced(client, one, records, rate) }
	}
	fmt.Printf("{\"version\":%q}\n", version())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, isRun := strings.CutPrefix(lines.Text(), "run ")
		if !isRun {
			break
		}
		records := number(text)
		fmt.Printf("{\"records\":%d%s}\n", records, run(records))
	}
	client.Close()
}
