import type { Clock } from '@postern/base/clock.ts'
import { networkOf } from '@postern/base/network-of.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type NodeId, newId } from '@postern/protocol/ids.ts'
import { PROTOCOL_VERSION } from '@postern/protocol/limits.ts'
import type { JoinRequest, JoinResponse } from '@postern/protocol/node-api.ts'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Db } from '../db/database.ts'
import { violates } from '../db/errors.ts'
import type { Tables } from '../db/tables.ts'
import { hashOfProof } from '../gateways/gateway-keys.ts'
import { GatewayRepository } from '../gateways/gateway-repository.ts'
import { AddressThrottle } from '../http/address-throttle.ts'
import { checkWait } from '../http/check-wait.ts'
import type { Authority } from './authority.ts'
import type { NodeDirectory } from './node-directory.ts'
import { type GatewayRow, NodeRepository, type NodeRow } from './node-repository.ts'

/** In a minute from one network. */
const WRONG_KEYS = 20

export interface NodeJoinsParts {
  readonly db: Kysely<Tables>
  readonly nodes: NodeDirectory
  readonly authority: Authority
  readonly audit: AuditLog
  readonly clock: Clock
  readonly random: Random
}

type Request = z.infer<typeof JoinRequest>

/** Lets nodes into their gateway: the only thing that an authentication key opens. */
export class NodeJoins {
  readonly #parts: NodeJoinsParts
  readonly #throttle: AddressThrottle

  constructor(parts: NodeJoinsParts) {
    this.#parts = parts
    this.#throttle = new AddressThrottle(parts.clock, WRONG_KEYS)
  }

  async join(request: Request, ip: string): Promise<JoinResponse> {
    const { db, nodes, authority, audit } = this.#parts
    const gateway = await this.#gatewayOf(request.key, ip)
    if (request.protocol > PROTOCOL_VERSION)
      throw new Fault('INPUT_INVALID', {
        at: `protocol: the node speaks ${request.protocol}, this service ${PROTOCOL_VERSION}. Update the service first.`,
      })
    if (request.gatewayId !== undefined && request.gatewayId !== gateway.id)
      throw new Fault('NODE_ALREADY_JOINED', { at: `The key is of ${gateway.name}.` })
    if (Buffer.from(request.identity, 'base64url').length !== 32)
      throw new Fault('INPUT_INVALID', { at: 'identity: must be 32 bytes, base64url.' })
    await authority.check(request.csr)
    const target = `node ${gateway.name}/${request.name}`
    const row = await db
      .transaction()
      .execute(async (transaction) => {
        const joined = await this.#admit(gateway, request, transaction)
        await audit.record(
          { who: `node ${request.name}`, action: 'node.join', target, ip, details: { version: request.version } },
          transaction,
        )
        return joined
      })
      .catch((cause: unknown) => {
        // Another node was given the name in this very moment.
        throw violates(cause, 'node_name_unique') ? new Fault('NODE_NAME_TAKEN', { at: `${gateway.name}/${request.name}` }) : cause
      })
    const issued = await authority.issue(request.csr, { gatewayId: gateway.id, nodeId: row.id })
    nodes.putGateway(gateway)
    // A ghost's identity is gone: what was known of its beats is not the new node's.
    if (nodes.get(row.id)?.identity !== request.identity) nodes.dropNode(row.id)
    nodes.putNode(row)
    return { nodeId: row.id, name: row.name, gatewayId: gateway.id, gateway: gateway.name, ...issued }
  }

  async #gatewayOf(key: string, ip: string): Promise<GatewayRow> {
    const network = networkOf(ip)
    checkWait(this.#throttle.waitSeconds(network))
    const gateway = await new GatewayRepository(this.#parts.db).findByKey(hashOfProof(key))
    if (gateway) return gateway
    this.#throttle.wrong(network)
    throw new Fault('KEY_INVALID')
  }

  /** One that joins or leaves at a time in a gateway: its row is locked. */
  async #admit(gateway: GatewayRow, request: Request, transaction: Db): Promise<NodeRow> {
    const { nodes, random } = this.#parts
    // It was deleted, and its keys with it, since it was found by one.
    if (!(await new GatewayRepository(transaction).lock(gateway.id))) throw new Fault('KEY_INVALID')
    const repository = new NodeRepository(transaction)
    const same = await repository.findByIdentity(gateway.id, request.identity)
    const ghost = await repository.findByName(gateway.id, request.name)
    if (same && (!ghost || ghost.id === same.id)) return await repository.rejoin(same.id, request)
    if (!ghost) {
      const id = newId<NodeId>('nod', (count) => random.bytes(count))
      return await repository.add({ id, gatewayId: gateway.id, name: request.name, identity: request.identity, version: request.version })
    }
    const known = nodes.get(ghost.id)
    if (same || known?.alive() || known?.link) throw new Fault('NODE_NAME_TAKEN', { at: `${gateway.name}/${request.name}` })
    return await repository.rejoin(ghost.id, request)
  }
}
