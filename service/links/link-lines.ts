import { type ClientHttp2Stream, constants } from 'node:http2'
import { LIMITS } from '@postern/protocol/limits.ts'

/** A node waits for an answer before it says more. */
const MOST_WAITING = 100

/** Answers each line of a stream with one, in order, for as long as it lives. A node of an older version refuses the stream: that is its answer. */
export function answerLines(stream: ClientHttp2Stream, answer: (line: string) => string | Promise<string>): void {
  let rest = ''
  let busy = false
  const waiting: string[] = []
  const send = (line: string) => {
    if (!stream.destroyed && !stream.closed) stream.write(`${line}\n`)
  }
  const next = () => {
    while (!busy) {
      const line = waiting.shift()
      if (line === undefined) return
      const said = answer(line)
      if (typeof said === 'string') send(said)
      else {
        busy = true
        void said.then(send).finally(() => {
          busy = false
          next()
        })
      }
    }
  }
  stream.on('error', () => undefined)
  stream.once('response', ({ ':status': status }) => {
    if (status !== 200) stream.close(constants.NGHTTP2_NO_ERROR)
  })
  // Ended by the node: there will be no more.
  stream.once('end', () => stream.end())
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    waiting.push(...lines)
    if (rest.length > LIMITS.bodyBytes || waiting.length > MOST_WAITING) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    next()
  })
}
