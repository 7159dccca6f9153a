// What is around a Lambda function, in small: node lambda-runtime.js HANDLER. Each line of standard input is an event
// for the handler; its answer is a line of standard output.
import { createInterface } from 'node:readline'

const { handler } = await import(process.argv[2] as string)
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(`answer ${JSON.stringify(await handler(JSON.parse(line)))}`)
}
