/** docs/reference/settings.md from the schema of gateway settings and from each connector's own. */

import type { Connector } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import { GatewaySettings, NodeSettings } from '@postern/protocol/api/gateways.ts'
import { z } from 'zod'
import { inWords, type JsonSchema, table } from './markdown.ts'

export function settingsPage(): string {
  return `# Settings

<!-- Made by \`npm run gen\` from protocol/api/gateways.ts and connectors/. Do not edit. -->

## Gateway and node

\`postern gateway set NAME KEY=VALUE\` changes a gateway; \`postern node set GATEWAY/NODE KEY=VALUE\` overrides the same setting for
one node. \`KEY=default\` takes a setting back: of a gateway to its default, of a node to the gateway's. So does an empty value, where
the setting cannot be empty. A change holds from the node's next beat on, within about a second, without a restart. How to choose
policy and limits: [queries](../queries.md).

${table(['setting', 'value', 'default', 'is'], rowsOf(GatewaySettings))}
Only a node has these:

${table(['setting', 'value', 'default', 'is'], rowsOf(NodeSettings.pick({ weight: true, labels: true })))}
### What \`auto\` comes to

- \`jobConcurrency\`: the larger of 2 and the smaller of 2 × cores and total memory ÷ 512 MiB, rounded down.
  A node of 2 cores and 8 GiB takes 4 tasks at a time, one of 16 cores and 4 GiB takes 8.
- \`queryConcurrency\`: 32 × cores, at least 32.

Cores and memory are those that the node's process may use: in a container, its limits. The limit in force and how it came about
stand in each node's \`jobLimit\`, \`jobLimitReason\`, \`queryLimit\`, \`queryLimitReason\`, \`cpuLimitPercent\`, \`cpuLimitReason\`,
\`memoryLimitPercent\` and \`memoryLimitReason\`: \`postern node show GATEWAY/NODE\`.

${[...CONNECTORS.values()].map(storeSection).join('\n')}`
}

function rowsOf(settings: z.ZodObject): readonly (readonly string[])[] {
  return Object.entries(properties(settings)).map(([name, schema]) => [
    `\`${name}\``,
    name === 'labels' ? 'names, `KEY=VALUE,KEY=VALUE`' : inWords(schema),
    schema.default === '' || typeof schema.default === 'object' ? 'empty' : `\`${String(schema.default)}\``,
    schema.title ?? '',
  ])
}

function storeSection(connector: Connector): string {
  const shape = z.toJSONSchema(connector.config, { io: 'input' }) as JsonSchema
  const rows = Object.entries(shape.properties ?? {}).map(([name, schema]) => [
    `\`${name}\``,
    inWords(schema),
    fallback(schema, shape.required?.includes(name) === true),
    schema.title ?? schema.description ?? '',
    schema.secret ? 'sealed (`--secret`)' : schema.audience ? 'bound to the credential' : '',
  ])
  const secret = rows.some(([, , , , secrecy]) => secrecy?.startsWith('sealed')) ? ' --secret KEY=VALUE' : ''
  return `## Stores of kind \`${connector.kind}\`: ${connector.title}

\`postern store create NAME --gateway GATEWAY --kind ${connector.kind} --set KEY=VALUE${secret}\`

${table(['setting', 'value', 'default', 'is', 'secrecy'], rows)}`
}

function fallback(schema: JsonSchema, required: boolean): string {
  if (required) return 'required'
  if (schema.default === undefined) return ''
  return schema.default === '' ? 'empty' : `\`${String(schema.default)}\``
}

function properties(schema: z.ZodObject): Readonly<Record<string, JsonSchema>> {
  return (z.toJSONSchema(schema, { io: 'input' }) as JsonSchema).properties ?? {}
}
