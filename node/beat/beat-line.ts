import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { type Beat, BeatResponse, LineAnswer } from '@postern/protocol/node-api.ts'
import type { Route } from '../app/router.ts'

/** An answer has the whole list of peers when that is new. */
const LINE_BYTES = 16 * LIMITS.bodyBytes

/** What the first answer of a line must have. Each part is held against its schema when it comes, and not again with each beat: the list of peers is long. */
const NEEDED = Object.entries(BeatResponse.shape).flatMap(([name, schema]) => (schema.safeParse(undefined).success ? [] : [name]))
const isWhole = (said: object): said is BeatResponse => NEEDED.every((name) => name in said)

/** One stream of beats, on one link. */
interface Line {
  readonly stream: ServerHttp2Stream
  /** All that was said on it so far: an answer says only what is new. */
  said: NonNullable<LineAnswer['answer']>
  /** The beat that has no answer yet. */
  asked: { readonly n: number; readonly settle: (answer: BeatResponse | Fault | undefined) => void } | undefined
  rest: string
}

interface BeatLineParts {
  readonly clock: Clock
}

/**
 * Beats by the link: the service opens a stream on it, and each beat is one line there and one back. That costs a tenth of a signed
 * request. A service of an older version opens none; then, and while no link is up, beats are requests.
 */
export class BeatLine {
  readonly #parts: BeatLineParts
  readonly #lines = new Set<Line>()
  #n = 0
  #onOpen: (() => void) | undefined

  constructor(parts: BeatLineParts) {
    this.#parts = parts
  }

  get routes(): Readonly<Record<string, Route>> {
    return { [NODE_PATHS.beats]: { doors: ['link'], duplex: true, handle: ({ stream }) => this.#open(stream) } }
  }

  /** Beats go by a link. */
  get open(): boolean {
    return this.#lines.size > 0
  }

  /** Told when there is a line again. */
  onOpen(listener: () => void): void {
    this.#onOpen = listener
  }

  /** Undefined when there is no line, or when it gave no answer in time: then the beat has to go another way. Throws what the service refused it with. */
  async send(beat: Beat, timeoutMs: number, signal: AbortSignal): Promise<BeatResponse | undefined> {
    const line = this.#free()
    if (!line || signal.aborted) return undefined
    this.#n += 1
    const n = this.#n
    const { promise, resolve } = Promise.withResolvers<BeatResponse | Fault | undefined>()
    line.asked = { n, settle: resolve }
    line.stream.write(`${JSON.stringify({ n, beat })}\n`)
    const waiting = new AbortController()
    const late = this.#parts.clock.sleep(timeoutMs, AbortSignal.any([signal, waiting.signal])).catch(() => undefined)
    const answer = await Promise.race([promise, late])
    waiting.abort()
    if (answer instanceof Fault) throw answer
    return answer ?? undefined
  }

  /** The newest without an unanswered beat: what does not answer is not waited for again. */
  #free(): Line | undefined {
    return [...this.#lines].reverse().find((line) => !line.asked && !line.stream.destroyed)
  }

  #open(stream: ServerHttp2Stream): Promise<void> {
    const line: Line = { stream, said: {}, asked: undefined, rest: '' }
    stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' })
    this.#lines.add(line)
    this.#onOpen?.()
    const { promise, resolve } = Promise.withResolvers<void>()
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.#read(line, text))
    // The service ends it when it says goodbye on the link.
    stream.once('end', () => stream.end())
    stream.once('close', () => {
      this.#lines.delete(line)
      line.asked?.settle(undefined)
      resolve()
    })
    return promise
  }

  #read(line: Line, text: string): void {
    const parts = (line.rest + text).split('\n')
    line.rest = parts.pop() ?? ''
    if (line.rest.length > LINE_BYTES) line.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    for (const part of parts) this.#take(line, part)
  }

  #take(line: Line, text: string): void {
    const heard = LineAnswer.safeParse(parsed(text))
    if (!heard.success) {
      line.stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      return
    }
    const { n, answer, fault } = heard.data
    line.said = { ...line.said, stop: [], keepSnapshots: [], ...answer }
    const { asked } = line
    // Also one that came too late: what it said counts for those after it.
    if (asked?.n !== n) return
    line.asked = undefined
    asked.settle(fault ? Fault.fromJson(fault) : isWhole(line.said) ? line.said : undefined)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
