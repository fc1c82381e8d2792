import { Readable } from 'node:stream'
import type {
  CopyOptions,
  Digest,
  Encoding,
  Expected,
  LeftOut,
  Part,
  PartStream,
  Shape,
  SkippedRow,
  Snapshot,
  Source,
} from '@postern/connectors/copy-contract.ts'
import { parsePart, parseShape } from '@postern/engine/context.ts'
import { FRAME } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { type BridgeCall, LeftRow, Stamped } from './bridge-call.ts'
import type { BridgeClient, Caller } from './bridge-client.ts'

const AboveHead = z.object({ shape: Stamped, to: z.string().nullable() })
const SnapshotHead = z.object({ id: z.string() })
const End = z.object({ rows: z.number() })
const DigestHead = z.object({ rows: z.number(), checksum: z.string().nullable() })

interface RemoteSourceParts {
  readonly client: BridgeClient
  readonly caller: Caller
  /** Whether the source's kind has snapshots. */
  readonly snapshots: boolean
}

/**
 * A source that another gateway has, as the engine knows sources. What the other gateway made (shapes, parts) is looked into for planning
 * and given back as it came, with its stamp: `own` holds it.
 */
export class RemoteSource implements Source {
  readonly #parts: RemoteSourceParts
  readonly snapshot?: (signal: AbortSignal) => Promise<Snapshot>

  constructor(parts: RemoteSourceParts) {
    this.#parts = parts
    if (parts.snapshots) this.snapshot = (signal) => this.#snapshot(signal)
  }

  async describe(what: string, options: CopyOptions, signal: AbortSignal, expected?: Expected): Promise<Shape> {
    // By way of JSON, as it will go: what is read-only here is the call's own there.
    const told = expected && (JSON.parse(JSON.stringify(expected)) as NonNullable<Extract<BridgeCall, { op: 'describe' }>['expected']>)
    const call: BridgeCall = { op: 'describe', what, options: { ...options }, ...(told ? { expected: told } : {}) }
    return shapeOf(await this.#ask(call, signal))
  }

  async above(
    request: { readonly shape: Shape; readonly column: string; readonly from: string | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<{ readonly shape: Shape; readonly to: string | null }> {
    const { shape, ...rest } = request
    const found = AboveHead.parse(await this.#ask({ op: 'above', shape: stampedOf(shape), ...rest }, signal))
    return { shape: shapeOf(found.shape), to: found.to }
  }

  async split(shape: Shape, options: Parameters<Source['split']>[1], signal: AbortSignal): Promise<readonly Part[]> {
    const parts = await this.#ask({ op: 'split', shape: stampedOf(shape), options: { ...options } }, signal)
    return z
      .array(Stamped)
      .parse(parts)
      .map((stamped) => ({ ...parsePart(JSON.parse(stamped.text)), own: stamped }))
  }

  async read(
    request: {
      readonly shape: Shape
      readonly part: Part
      readonly encoding: Encoding
      readonly snapshot: string | null
      readonly left?: LeftOut
    },
    signal: AbortSignal,
  ): Promise<PartStream> {
    const { shape, part, encoding, snapshot, left } = request
    const plain = { shape: stampedOf(shape), part: stampedOf(part), encoding, snapshot }
    const call: BridgeCall = { op: 'read', ...plain, ...(left && { left: true }) }
    const { client, caller } = this.#parts
    const { frames } = await client.call(caller, call, signal)
    let rows = 0
    const payloads = async function* () {
      for await (const { kind, payload } of frames) {
        if (kind === FRAME.bytes) yield payload
        else if (kind === FRAME.left) await left?.(leftRow(payload))
        else if (kind === FRAME.end) rows = End.parse(JSON.parse(payload.toString())).rows
      }
    }
    return { bytes: Readable.from(payloads(), { objectMode: false, highWaterMark: 1 << 19 }), rows: () => rows }
  }

  async digest(request: Parameters<Source['digest']>[0], signal: AbortSignal): Promise<Digest> {
    const { shape, part, parts, encoding, snapshot, columns, checksum } = request
    const call: BridgeCall = {
      op: 'digest',
      shape: stampedOf(shape),
      part: part && stampedOf(part),
      ...(parts ? { parts: parts.map(stampedOf) } : {}),
      ...(encoding ? { encoding } : {}),
      snapshot,
      columns: [...columns],
      checksum,
    }
    return DigestHead.parse(await this.#ask(call, signal))
  }

  async #snapshot(signal: AbortSignal): Promise<Snapshot> {
    const { client, caller } = this.#parts
    // Held beyond the task that took it: only its owner ends it.
    const held = new AbortController()
    const ended = () => held.abort(signal.reason)
    signal.addEventListener('abort', ended, { once: true })
    try {
      const { head, close } = await client.call(caller, { op: 'snapshot' }, held.signal)
      return { id: SnapshotHead.parse(head).id, [Symbol.asyncDispose]: async () => close() }
    } finally {
      signal.removeEventListener('abort', ended)
    }
  }

  async #ask(call: BridgeCall, signal: AbortSignal): Promise<unknown> {
    const { client, caller } = this.#parts
    const { head, close } = await client.call(caller, call, signal)
    close()
    return head
  }
}

function leftRow(payload: Buffer): SkippedRow {
  const { bytes, ...row } = LeftRow.parse(JSON.parse(payload.toString()))
  return { ...row, bytes: Buffer.from(bytes, 'base64') }
}

function shapeOf(answer: unknown): Shape {
  const stamped = Stamped.parse(answer)
  const shape = parseShape(JSON.parse(stamped.text))
  // A sink of the same sort may look at the source's own facts: whole files are known by them.
  return { ...shape, own: { ...(shape.own as object | null), ...stamped } }
}

function stampedOf({ own }: { readonly own: unknown }): Stamped {
  const parsed = Stamped.safeParse(own)
  if (parsed.success) return parsed.data
  throw new Fault('INTERNAL', { at: 'a shape or part of another gateway has lost its stamp' })
}
