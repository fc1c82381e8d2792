/** What nodes bring and take of what belongs to the gateway's key: ciphertext and public keys only. */
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { RecoverySeal, RotationFacts, RotationSwitch, RotationSwitched } from '@postern/protocol/node-api.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { nodeOf } from '../nodes/node-call-routes.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { GatewayKeyService } from './gateway-key-service.ts'

export const gatewayKeyRoutes =
  (parts: { readonly keys: GatewayKeyService; readonly nodes: NodeDirectory }): Routes =>
  async (http) => {
    const { keys, nodes } = parts
    const own = { tags: ['calls of nodes'] }

    http.get(
      SERVICE_PATHS.recovery,
      {
        schema: { ...own, summary: "The gateway's key, sealed to its recovery key", response: { 200: RecoverySeal } },
        config: { needs: 'node' },
      },
      async (request) => {
        const seal = await keys.recoveryOf(nodeOf(nodes, request).gatewayId)
        if (!seal) throw new Fault('RECOVERY_KEY_MISSING')
        return seal
      },
    )

    http.post(
      SERVICE_PATHS.recovery,
      {
        schema: {
          ...own,
          summary: 'A new recovery key; the one before opens nothing any more',
          body: RecoverySeal,
          response: { 204: z.null() },
        },
        config: { needs: 'node' },
      },
      async (request, reply) => {
        await keys.putRecovery(nodeOf(nodes, request), request.body, request.ip)
        return reply.code(204).send(null)
      },
    )

    http.get(
      SERVICE_PATHS.rotation,
      {
        schema: { ...own, summary: "What a rotation of the gateway's key must seal anew", response: { 200: RotationFacts } },
        config: { needs: 'node' },
      },
      (request) => keys.rotationOf(nodeOf(nodes, request)),
    )

    http.post(
      SERVICE_PATHS.rotation,
      {
        schema: {
          ...own,
          summary: 'The new key of the gateway, and all that is sealed to it',
          body: RotationSwitch,
          response: { 200: RotationSwitched },
        },
        config: { needs: 'node' },
        bodyLimit: LIMITS.orderBytes,
      },
      (request) => keys.switch(nodeOf(nodes, request), request.body, request.ip),
    )
  }
