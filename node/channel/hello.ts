/**
 * Who is at the other end of a channel whose certificates do not name nodes (docs/adr/0017): each signs what both have said, with the
 * Ed25519 key that it joined with, bound to the TLS session where there is one.
 *
 *   caller  {gateway, from, to, mode, nonce}      →
 *                                                 ←  {nonce, proof} or {refused}     called
 *           {proof}                               →
 *                                                 ←  {ok} or {refused}
 *
 * One JSON a line; then the same connection is HTTP/2.
 */
import { createPublicKey, verify } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Random } from '@postern/base/random.ts'
import { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { ChannelMode } from './channel-mode.ts'

/** Of the TLS session (RFC 5705, RFC 8446): the same at its two ends and nowhere else. */
export const EXPORTER = { label: 'EXPORTER-postern-channel', bytes: 32 } as const
const LINE_BYTES = 2_048
const Nonce = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const Proof = z.string().regex(/^[A-Za-z0-9_-]{86}$/)
const Refused = z.object({ refused: z.string().max(300) })
const Call = z.object({ gateway: GatewayId, from: NodeId, to: NodeId, mode: ChannelMode, nonce: Nonce })
const Reply = z.union([z.object({ nonce: Nonce, proof: Proof }), Refused])
const Signed = z.object({ proof: Proof })
const End = z.union([z.object({ ok: z.literal(true) }), Refused])

export interface HelloSelf {
  readonly gatewayId: GatewayId
  readonly nodeId: NodeId
  readonly identity: Pick<Identity, 'sign'>
  readonly random: Random
}

/** How the connection is protected, and what binds proofs to it: empty without TLS. */
export interface HelloWay {
  readonly mode: ChannelMode
  readonly binding: string
}

interface Said extends HelloWay {
  readonly gateway: string
  readonly from: string
  readonly to: string
  readonly callerNonce: string
  readonly calledNonce: string
}

const textOf = (role: 'caller' | 'called', { gateway, from, to, mode, binding, callerNonce, calledNonce }: Said): string =>
  JSON.stringify(['postern/channel/v1', role, gateway, from, to, mode, callerNonce, calledNonce, binding])

/** Proves this node to the peer and has the peer proved. Fails with an Error in words; the connection is then of no use. */
export async function callHello(
  socket: Duplex,
  self: HelloSelf,
  peer: { readonly id: NodeId; readonly identity: string },
  way: HelloWay,
  signal: AbortSignal,
): Promise<void> {
  const { gatewayId: gateway, nodeId: from, identity } = self
  const callerNonce = nonce(self.random)
  await say(socket, { gateway, from, to: peer.id, mode: way.mode, nonce: callerNonce } satisfies z.input<typeof Call>, signal)
  const reply = Reply.parse(await readLine(socket, signal))
  if ('refused' in reply) throw new Error(`refused: ${reply.refused}`)
  const said = { ...way, gateway, from, to: peer.id, callerNonce, calledNonce: reply.nonce }
  if (!isSigned(textOf('called', said), reply.proof, peer.identity))
    throw new Error('another answered there: its proof is not of the node that is meant')
  await say(socket, { proof: identity.sign(textOf('caller', said)) }, signal)
  const end = End.parse(await readLine(socket, signal))
  if ('refused' in end) throw new Error(`refused: ${end.refused}`)
}

export interface HelloDoor extends HelloSelf {
  readonly accepted: readonly ChannelMode[]
  /** Ed25519 public key of a node of the gateway; undefined when it is none. */
  readonly identityOf: (node: NodeId) => string | undefined
}

/** Who calls, proved. Fails with an Error in words, which the caller has been told. */
export async function answerHello(socket: Duplex, door: HelloDoor, way: HelloWay, signal: AbortSignal): Promise<NodeId> {
  const refuse = async (why: string): Promise<never> => {
    await say(socket, { refused: why }, signal)
    throw new Error(why)
  }
  const call = Call.parse(await readLine(socket, signal))
  const { gateway, from, to } = call
  if (gateway !== door.gatewayId) return refuse('this is a node of another gateway')
  if (to !== door.nodeId) return refuse('this is another node')
  if (call.mode !== way.mode) return refuse('the connection is not what the call says')
  if (!door.accepted.includes(way.mode)) return refuse(`the mode ${way.mode} is not accepted here`)
  const key = door.identityOf(from)
  if (key === undefined) return refuse('the caller is not known as a node of this gateway yet')
  const calledNonce = nonce(door.random)
  const said = { ...way, gateway, from, to, callerNonce: call.nonce, calledNonce }
  await say(socket, { nonce: calledNonce, proof: door.identity.sign(textOf('called', said)) }, signal)
  const { proof } = Signed.parse(await readLine(socket, signal))
  if (!isSigned(textOf('caller', said), proof, key)) return refuse('the proof is not of the node that the call names')
  await say(socket, { ok: true }, signal)
  return from
}

const nonce = (random: Random): string => Buffer.from(random.bytes(32)).toString('base64url')

function isSigned(text: string, proof: string, identity: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: identity }, format: 'jwk' })
    return verify(null, Buffer.from(text), key, Buffer.from(proof, 'base64url'))
  } catch {
    return false
  }
}

/** Settles when the line has left: HTTP/2 must not take over a connection on which a write is still under way (it ends the process). */
function say(socket: Duplex, value: unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(signal.reason)
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
    socket.write(`${JSON.stringify(value)}\n`, (cause) => {
      signal.removeEventListener('abort', late)
      return cause ? reject(cause) : resolve()
    })
  })
}

/** What stands behind the line stays in the socket. */
function readLine(socket: Duplex, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0)
    const end = (cause: unknown, value?: unknown) => {
      socket.off('readable', look).off('close', closed).off('end', closed).off('error', end)
      signal.removeEventListener('abort', late)
      return cause === undefined ? resolve(value) : reject(cause)
    }
    const late = () => end(signal.reason)
    const closed = () => end(new Error('closed before it said who it is'))
    const look = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) read = Buffer.concat([read, chunk])
      const at = read.indexOf(10)
      if (at > LINE_BYTES || (at < 0 && read.length > LINE_BYTES)) return end(new Error('it does not speak as a node does'))
      if (at < 0) return
      if (at + 1 < read.length) socket.unshift(read.subarray(at + 1))
      try {
        end(undefined, JSON.parse(read.subarray(0, at).toString('utf8')))
      } catch {
        end(new Error('it does not speak as a node does'))
      }
    }
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
    socket.on('readable', look).once('close', closed).once('end', closed).once('error', end)
    look()
  })
}
