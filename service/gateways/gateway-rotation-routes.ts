import { KeyRotated, RotateKey } from '@postern/protocol/api/gateways.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { actorOf } from '../people/actor.ts'
import type { GatewayRotation } from './gateway-rotation.ts'

export const gatewayRotationRoutes =
  (rotation: GatewayRotation): Routes =>
  async (http) => {
    http.post(
      '/v1/gateways/:gateway/rotate-key',
      {
        schema: {
          summary: 'Have a node make a new key for the gateway, and seal every credential to it',
          tags: ['gateways'],
          params: z.object({ gateway: Name }),
          body: RotateKey,
          response: { 200: KeyRotated },
        },
        config: { needs: 'gateways:keys', on: 'gateway' },
      },
      (request) => rotation.rotate(request.params.gateway, request.body?.challenge, actorOf(request)),
    )

    http.delete(
      '/v1/gateways/:gateway/recovery-key',
      {
        schema: {
          summary: 'Forget the recovery key; without any node the gateway’s key is gone with it',
          tags: ['gateways'],
          params: z.object({ gateway: Name }),
          response: { 204: z.null() },
        },
        config: { needs: 'gateways:keys', on: 'gateway' },
      },
      async (request, reply) => {
        await rotation.forgetRecovery(request.params.gateway, actorOf(request))
        return reply.code(204).send(null)
      },
    )
  }
