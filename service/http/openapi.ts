import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { VERSION } from '@postern/base/version.ts'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { PAGE_POLICY } from './security-headers.ts'

/** OpenAPI 3.1 from the routes' own schemas: at /openapi.json, to read and try at /docs. */
export async function describeApi(http: FastifyInstance): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Postern', version: VERSION, description: 'Open, self-hosted data gateway. Errors are application/problem+json.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  })
  await http.register(swaggerUi, { routePrefix: '/docs', logLevel: 'warn', staticCSP: PAGE_POLICY })
  http.get('/openapi.json', { schema: { hide: true }, config: { needs: 'none' } }, () => http.swagger())
}
