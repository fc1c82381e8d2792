import type { FastifyRequest } from 'fastify'
import '../http/needs.ts'

/** Who changes something, for the audit. */
export interface Actor {
  readonly who: string
  readonly ip: string | null
}

export function actorOf(request: Pick<FastifyRequest, 'caller' | 'ip'>): Actor {
  return { who: request.caller?.name ?? 'nobody', ip: request.ip }
}
