import { once } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Encoding, LeftOut, Part, Shape, Source } from '@postern/connectors/copy-contract.ts'
import { BRIDGE_LIMITS, BridgeOrder, FRAME } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { parseBody } from '../app/parse.ts'
import { type Request, type Route, refuse } from '../app/router.ts'
import type { StoreSessions } from '../stores/store-sessions.ts'
import type { GatewayKey } from '../vault/gateway-key.ts'
import { type BridgeCall, parseCall, type Stamped } from './bridge-call.ts'
import { FrameSealer } from './frames.ts'
import { openCall, Stamp } from './sealed-call.ts'

interface BridgeDoorParts {
  readonly stores: Pick<StoreSessions, 'acquire'>
  readonly key: () => GatewayKey | undefined
  /** Parts that this node may read at a time: as many as tasks it may run. */
  readonly limit: () => number
  readonly clock: Clock
  readonly log: Log
}

/** What a call is answered from. */
interface Asked {
  readonly order: BridgeOrder
  readonly source: Source
  readonly stamp: Stamp
  readonly signal: AbortSignal
}

/** Lets tasks of another gateway's nodes read a store of this one. What they may read is what the run was asked to copy, and nothing else. */
export class BridgeDoor implements Component {
  readonly name = 'bridge'
  readonly #parts: BridgeDoorParts
  readonly #open = new Set<AbortController>()
  #reading = 0
  #draining = false

  constructor(parts: BridgeDoorParts) {
    this.#parts = parts
  }

  get routes(): Readonly<Record<string, Route>> {
    return { [NODE_PATHS.bridge]: { doors: ['link'], handle: (request) => this.#handle(request) } }
  }

  async start(): Promise<void> {}

  /** What is being read goes on with another node: a part is tried again. */
  async drain(): Promise<void> {
    this.#draining = true
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.endAll(new Fault('STOPPING'))
  }

  endAll(fault: Fault): void {
    for (const call of this.#open) call.abort(fault)
  }

  /** A fault before the answer has begun tells the service to try another node; what the store says is sealed, as everything else. */
  async #handle({ stream, body }: Request): Promise<void> {
    const gone = new AbortController()
    this.#open.add(gone)
    stream.once('close', () => gone.abort(new Fault('CANCELLED')))
    let release: (() => void) | undefined
    try {
      if (this.#draining) throw new Fault('STOPPING', { at: 'The node is draining.' })
      const order = parseBody(BridgeOrder, body)
      const key = this.#parts.key()
      if (!key) throw new Fault('CREDENTIAL_UNREADABLE', { at: '(this node does not have the gateway’s key yet)' })
      const { call: text, answerKey } = await openCall(key, order.run, order.sealed)
      const call = parseCall(text)
      if (call.op === 'read' && this.#reading >= this.#parts.limit()) {
        throw new Fault('STORE_BUSY', { at: `This node reads ${this.#reading} parts for other gateways already.` })
      }
      const opened = await this.#parts.stores.acquire(order.store)
      release = opened.release
      const { source } = opened.session
      if (!source) throw new Fault('COPY_UNSUPPORTED', { at: `${order.store.name} cannot be read by a copy` })
      const asked = { order, source, stamp: new Stamp(key, order.run), signal: gone.signal }
      await this.#answer(stream, new FrameSealer(answerKey), call, asked)
    } catch (cause) {
      const fault = gone.signal.aborted ? Fault.from(gone.signal.reason) : Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause }, 'a call of another gateway failed unexpectedly')
      refuse(stream, fault)
    } finally {
      release?.()
      this.#open.delete(gone)
    }
  }

  async #answer(stream: ServerHttp2Stream, sealer: FrameSealer, call: BridgeCall, asked: Asked): Promise<void> {
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
    const tell = (kind: (typeof FRAME)[keyof typeof FRAME], value: unknown) =>
      void stream.write(sealer.seal(kind, Buffer.from(JSON.stringify(value))))
    const alive = this.#keepAlive(stream, sealer)
    try {
      if (call.op === 'snapshot') await holdSnapshot(asked, (id) => tell(FRAME.head, { id }))
      else if (call.op === 'read') {
        const begun = Promise.withResolvers<void>()
        const left: LeftOut = async (row) => {
          await begun.promise
          tell(FRAME.left, { ...row, bytes: row.bytes.toString('base64') })
          if (stream.writableNeedDrain) await once(stream, 'drain', { signal: asked.signal })
        }
        const { bytes, rows } = await readPart(call, asked, left)
        tell(FRAME.head, {})
        begun.resolve()
        await this.#send(bytes, stream, sealer, asked.signal)
        tell(FRAME.end, { rows: rows() })
      } else {
        tell(FRAME.head, await answerTo(call, asked))
        tell(FRAME.end, {})
      }
    } catch (cause) {
      const fault = asked.signal.aborted ? Fault.from(asked.signal.reason) : Fault.from(cause)
      if (fault.code === 'INTERNAL') this.#parts.log.error({ err: cause, op: call.op }, 'a call of another gateway failed unexpectedly')
      if (stream.writable) tell(FRAME.fault, fault)
    } finally {
      alive.abort()
      if (stream.writable) stream.end()
    }
  }

  /** Sealed and written in one step: frames must leave in the order in which they were sealed. */
  async #send(bytes: Readable, stream: ServerHttp2Stream, sealer: FrameSealer, signal: AbortSignal): Promise<void> {
    this.#reading += 1
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += BRIDGE_LIMITS.frameBytes) {
          signal.throwIfAborted()
          if (!stream.write(sealer.seal(FRAME.bytes, chunk.subarray(at, at + BRIDGE_LIMITS.frameBytes)))) {
            await once(stream, 'drain', { signal })
          }
        }
      }
    } finally {
      bytes.destroy()
      this.#reading -= 1
    }
  }

  /** A store may think for long before its first row, and a snapshot is held without a word. */
  #keepAlive(stream: ServerHttp2Stream, sealer: FrameSealer): AbortController {
    const over = new AbortController()
    const { clock, log } = this.#parts
    const loop = async () => {
      while (!over.signal.aborted) {
        await clock.sleep(BRIDGE_LIMITS.aliveMs, over.signal).catch(() => undefined)
        if (over.signal.aborted || stream.closed || !stream.writable) return
        if (!stream.writableNeedDrain) stream.write(sealer.seal(FRAME.alive, Buffer.alloc(0)))
      }
    }
    loop().catch((cause: unknown) => {
      log.error({ err: cause }, 'a bridge could not be kept alive')
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    })
    return over
  }
}

/** Until the other side leaves: a snapshot is only worth something to who holds it. */
async function holdSnapshot({ source, signal }: Asked, tell: (id: string) => void): Promise<void> {
  if (!source.snapshot) throw new Fault('COPY_UNSUPPORTED', { at: 'the source has no snapshots' })
  await using snapshot = await source.snapshot(signal)
  tell(snapshot.id)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function readPart(call: Extract<BridgeCall, { op: 'read' }>, { source, stamp, signal }: Asked, left: LeftOut) {
  const request = {
    shape: opened<Shape>(call.shape, stamp),
    part: opened<Part>(call.part, stamp),
    // The shape says what there is; a source refuses any other.
    encoding: call.encoding as Encoding,
    snapshot: call.snapshot,
    ...(call.left && { left }),
  }
  if (!request.shape.encodings.includes(request.encoding)) throw new Fault('INPUT_INVALID', { at: `encoding: ${call.encoding}` })
  return source.read(request, signal)
}

async function answerTo(call: Exclude<BridgeCall, { op: 'read' | 'snapshot' }>, { order, source, stamp, signal }: Asked): Promise<unknown> {
  const stamped = (value: unknown): Stamped => {
    const text = JSON.stringify(value)
    return { text, stamp: stamp.of(text) }
  }
  switch (call.op) {
    case 'describe':
      if (call.what !== order.from) throw new Fault('NOT_ALLOWED', { at: 'The run was not asked to read this.' })
      return stamped(await source.describe(call.what, call.options, signal, call.expected))
    case 'split': {
      const { encoding, ...options } = call.options
      const wanted = encoding === undefined ? options : { ...options, encoding: encoding as Encoding }
      return (await source.split(opened<Shape>(call.shape, stamp), wanted, signal)).map(stamped)
    }
    case 'above': {
      if (!source.above) throw new Fault('COPY_UNSUPPORTED', { at: 'the source cannot be copied incrementally' })
      const { column, from, snapshot } = call
      const { shape, to } = await source.above({ shape: opened<Shape>(call.shape, stamp), column, from, snapshot }, signal)
      return { shape: stamped(shape), to }
    }
    case 'digest': {
      const shape = opened<Shape>(call.shape, stamp)
      const natives = new Map(shape.columns.map(({ name, native }) => [name, native]))
      const foreign = call.columns.find(({ name, native }) => natives.get(name) !== native)
      if (foreign) throw new Fault('INPUT_INVALID', { at: `columns: ${foreign.name} is none of the source` })
      const { snapshot, columns, checksum, encoding } = call
      const request = {
        shape,
        part: call.part && opened<Part>(call.part, stamp),
        ...(call.parts ? { parts: call.parts.map((part) => opened<Part>(part, stamp)) } : {}),
        ...(encoding === undefined ? {} : { encoding: encoding as Encoding }),
        snapshot,
        columns,
        checksum,
      }
      return source.digest(request, signal)
    }
    default:
      return call satisfies never
  }
}

/** What this gateway's nodes made themselves, unchanged: it needs no other look. */
function opened<Value>({ text, stamp: given }: Stamped, stamp: Stamp): Value {
  if (!stamp.holds(text, given)) throw new Fault('NOT_ALLOWED', { at: 'A shape or part that this gateway did not make.' })
  return JSON.parse(text) as Value
}
