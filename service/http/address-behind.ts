import type { IncomingMessage } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'

/** Where a request comes from, by the word of the proxies that are trusted and of no other: as Fastify says it of what is no upgrade. */
export function addressBehind(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return ({ socket }) => socket.remoteAddress ?? ''
  const trust = proxyAddr.compile([...trustedProxies])
  return (request) => (request.socket.remoteAddress === undefined ? '' : proxyAddr(request, trust))
}
