/** What nodes ask of the service; paths and messages in protocol/link.ts, node-api.ts and task-api.ts. */
import { Fault } from '@postern/protocol/fault.ts'
import { NodeId } from '@postern/protocol/ids.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import {
  Beat,
  BeatResponse,
  CertificateRequest,
  CertificateResponse,
  HandOverFacts,
  JoinRequest,
  JoinResponse,
  LeaveResponse,
  OfferGatewayKey,
  OfferGatewayKeyResponse,
} from '@postern/protocol/node-api.ts'
import { z } from 'zod'
import type { GatewayRepository } from '../gateways/gateway-repository.ts'
import type { Routes } from '../http/http-server.ts'
import type { Authority } from './authority.ts'
import type { NodeBeats } from './node-beats.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeJoins } from './node-joins.ts'
import type { NodeRepository } from './node-repository.ts'
import type { NodeService } from './node-service.ts'

export interface NodeCallParts {
  readonly nodes: NodeDirectory
  readonly joins: NodeJoins
  readonly beats: NodeBeats
  readonly service: NodeService
  readonly authority: Authority
  readonly repository: NodeRepository
  readonly gateways: Pick<GatewayRepository, 'verifiers'>
}

/** The node that a hook has proved. */
export function nodeOf(nodes: NodeDirectory, request: { readonly nodeId: NodeId | null }) {
  const node = request.nodeId ? nodes.get(request.nodeId) : undefined
  if (!node) throw new Fault('NODE_DELETED')
  return node
}

export const nodeCallRoutes =
  (parts: NodeCallParts): Routes =>
  async (http) => {
    const { nodes, joins, beats, service, authority, repository, gateways } = parts
    const own = { tags: ['calls of nodes'] }

    http.post(
      SERVICE_PATHS.join,
      {
        schema: { ...own, summary: 'Join a gateway with an authentication key', body: JoinRequest, response: { 200: JoinResponse } },
        config: { needs: 'none' },
      },
      (request) => joins.join(request.body, request.ip),
    )

    http.post(
      SERVICE_PATHS.beat,
      {
        schema: { ...own, summary: 'The whole truth about a node', body: Beat, response: { 200: BeatResponse } },
        config: { needs: 'node' },
      },
      (request) => beats.beat(nodeOf(nodes, request).id, request.body),
    )

    http.post(
      SERVICE_PATHS.goodbye,
      { schema: { ...own, summary: 'The node stops of its own will', response: { 204: z.null() } }, config: { needs: 'node' } },
      async (request, reply) => {
        await beats.goodbye(nodeOf(nodes, request).id)
        return reply.code(204).send(null)
      },
    )

    http.post(
      SERVICE_PATHS.leave,
      {
        schema: { ...own, summary: 'The node is uninstalled, or has moved: delete it', response: { 200: LeaveResponse } },
        config: { needs: 'node' },
      },
      async (request) => {
        const node = nodeOf(nodes, request)
        await service.delete(node, { who: `node ${node.name}`, ip: request.ip }, 'node.leave')
        return { nodesLeft: nodes.nodesOf(node.gatewayId).length }
      },
    )

    http.post(
      SERVICE_PATHS.gatewayKey,
      {
        schema: {
          ...own,
          summary: "Offer the gateway's public key; of several the first is taken",
          body: OfferGatewayKey,
          response: { 200: OfferGatewayKeyResponse },
        },
        config: { needs: 'node' },
      },
      async (request) => {
        const offered = request.body.publicKey
        if (Buffer.from(offered, 'base64url').length !== 32)
          throw new Fault('INPUT_INVALID', { at: 'publicKey: must be 32 bytes, base64url.' })
        const gateway = await repository.offerGatewayKey(nodeOf(nodes, request).gatewayId, offered)
        if (!gateway?.publicKey) throw new Fault('NODE_DELETED')
        nodes.putGateway(gateway)
        return { accepted: gateway.publicKey === offered, publicKey: gateway.publicKey }
      },
    )

    http.get(
      '/v1/node/hand-over/:asker',
      {
        schema: {
          ...own,
          summary: "What a node holds a request for the gateway's key against",
          params: z.object({ asker: NodeId }),
          response: { 200: HandOverFacts },
        },
        config: { needs: 'node' },
      },
      async (request) => {
        const { gatewayId } = nodeOf(nodes, request)
        // From the database: a key that was regenerated, or a node that was deleted, at another replica counts at once.
        const asker = await repository.find(request.params.asker)
        return {
          publicKey: nodes.gateway(gatewayId)?.publicKey ?? null,
          identity: asker?.gatewayId === gatewayId ? asker.identity : null,
          verifiers: await gateways.verifiers(gatewayId),
        }
      },
    )

    http.post(
      SERVICE_PATHS.certificate,
      {
        schema: { ...own, summary: 'A new certificate for the channel', body: CertificateRequest, response: { 200: CertificateResponse } },
        config: { needs: 'node' },
      },
      (request) => {
        const { id, gatewayId } = nodeOf(nodes, request)
        return authority.issue(request.body.csr, { gatewayId, nodeId: id })
      },
    )
  }
