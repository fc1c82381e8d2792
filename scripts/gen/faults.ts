/** docs/reference/faults.md from the one list of faults. */
import { EXIT_CODE, FAULTS, type FaultKind, HTTP_STATUS } from '@postern/protocol/fault.ts'
import { table } from './markdown.ts'

const KINDS: Readonly<Record<FaultKind, string>> = {
  input: 'what was asked cannot be done as it stands',
  denied: 'who asked may not',
  missing: 'what was named is not there',
  conflict: 'it does not fit what is there',
  limit: 'a limit was reached; it can pass by itself',
  remote: 'something at the other end did not work; it can pass by itself',
  stopped: 'it was ended, or is ending; it can pass by itself',
  bug: 'a mistake in Postern',
}

export function faultsPage(): string {
  const kinds = Object.entries(KINDS).map(([kind, meaning]) => [
    `\`${kind}\``,
    meaning,
    String(HTTP_STATUS[kind as FaultKind]),
    String(EXIT_CODE[kind as FaultKind]),
  ])
  const faults = Object.entries(FAULTS).map(([code, { kind, says, remedy }]) => [`\`${code}\``, `\`${kind}\``, says, remedy])
  return `# Faults

<!-- Made by \`npm run gen\` from protocol/fault.ts. Do not edit. -->

Whatever goes wrong is said as one line (what and where), a code and a remedy: by the API as \`application/problem+json\`, by
\`postern\` on stderr. A code keeps its meaning for ever.

## Kinds

The kind decides the HTTP status, the exit code of the command line, and whether Postern tries again by itself. A missing or
wrong token is 401, not 403.

${table(['kind', 'means', 'HTTP status', 'exit code'], kinds)}
## Codes

${table(['code', 'kind', 'says', 'remedy'], faults)}`
}
