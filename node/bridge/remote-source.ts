import { Readable } from 'node:stream'
import type {
  CopyOptions,
  Digest,
  DigestRequest,
  Encoding,
  Part,
  PartStream,
  Shape,
  Snapshot,
  Source,
} from '@postern/connectors/copy-contract.ts'
import { parsePart, parseShape } from '@postern/engine/context.ts'
import { FRAME } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { type BridgeCall, Stamped } from './bridge-call.ts'
import type { BridgeClient, Caller } from './bridge-client.ts'

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

  async describe(what: string, options: CopyOptions, signal: AbortSignal): Promise<Shape> {
    const stamped = Stamped.parse(await this.#ask({ op: 'describe', what, options: { ...options } }, signal))
    return { ...parseShape(JSON.parse(stamped.text)), own: stamped }
  }

  async split(
    shape: Shape,
    options: { readonly wanted: number | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<readonly Part[]> {
    const parts = await this.#ask({ op: 'split', shape: stampedOf(shape), options: { ...options } }, signal)
    return z
      .array(Stamped)
      .parse(parts)
      .map((stamped) => ({ ...parsePart(JSON.parse(stamped.text)), own: stamped }))
  }

  async read(
    request: { readonly shape: Shape; readonly part: Part; readonly encoding: Encoding; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<PartStream> {
    const { shape, part, encoding, snapshot } = request
    const call: BridgeCall = { op: 'read', shape: stampedOf(shape), part: stampedOf(part), encoding, snapshot }
    const { client, caller } = this.#parts
    const { frames } = await client.call(caller, call, signal)
    let rows = 0
    const payloads = async function* () {
      for await (const { kind, payload } of frames) {
        if (kind === FRAME.bytes) yield payload
        else if (kind === FRAME.end) rows = End.parse(JSON.parse(payload.toString())).rows
      }
    }
    return { bytes: Readable.from(payloads(), { objectMode: false, highWaterMark: 1 << 19 }), rows: () => rows }
  }

  async digest(
    request: DigestRequest & { readonly shape: Shape; readonly part: Part | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<Digest> {
    const { shape, part, snapshot, columns, checksum } = request
    const call: BridgeCall = {
      op: 'digest',
      shape: stampedOf(shape),
      part: part && stampedOf(part),
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

function stampedOf({ own }: { readonly own: unknown }): Stamped {
  const parsed = Stamped.safeParse(own)
  if (parsed.success) return parsed.data
  throw new Fault('INTERNAL', { at: 'a shape or part of another gateway has lost its stamp' })
}
