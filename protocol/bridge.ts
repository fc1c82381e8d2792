/**
 * The bridge: how a copy reads a store that another gateway has. A node of the sink's gateway asks, the service chooses a node of the source's
 * gateway and passes bytes on as they come, and both ends seal what they say to each other (docs/protocol.md): the service forwards, it cannot read.
 */
import { z } from 'zod'
import { RunId, TaskId } from './ids.ts'
import { StoreRef } from './node-api.ts'

/** A call with all that it carries: the shape of a source of 10,000 files fits. */
const SEALED_LENGTH = 12 << 20
const Sealed = z.string().max(SEALED_LENGTH)

/** Node of the sink → service: for which attempt, and the sealed call. Its answer is a stream of frames. */
export const BridgeAsked = z.object({ run: RunId, task: TaskId, attempt: z.int().min(1), sealed: Sealed })
export type BridgeAsked = z.infer<typeof BridgeAsked>

/** Service → node of the source. `from` is what the run was asked to read: nothing else is described. */
export const BridgeOrder = z.object({ run: RunId, store: StoreRef, from: z.string().max(65_536), sealed: Sealed })
export type BridgeOrder = z.infer<typeof BridgeOrder>

/** The route takes the sealed call, its base64 and the fields about it. */
export const BRIDGE_BODY_BYTES = SEALED_LENGTH + (1 << 16)

/**
 * Frames of the answer: 4 bytes length of what follows (big-endian), 1 byte kind, ciphertext with its tag.
 * `left` is a row that the source leaves out, before the bytes of those behind it. `head` comes first, but for a fault; `end` or `fault` last: a stream without one was cut.
 */
export const FRAME = { head: 1, bytes: 2, end: 3, fault: 4, alive: 5, left: 6 } as const
export type FrameKind = (typeof FRAME)[keyof typeof FRAME]
export const BRIDGE_LIMITS = {
  /** The most that one frame carries of a part's bytes. */
  frameBytes: 1 << 18,
  /** The most that a frame of JSON carries: a shape, or up to LIMITS.planTasks parts. */
  jsonBytes: 32 << 20,
  /** A quiet answer says so often that it is alive; silent for longer than `silentMs` while it is read, it is given up. */
  aliveMs: 5_000,
  silentMs: 20_000,
} as const
