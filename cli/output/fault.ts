import type { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'

/** What and where, then what to do; never a stack. Where to look for more, when the service gave a request id to a bug. */
export function printFault(fault: Fault, shell: Pick<Shell, 'stderr'>, json: boolean): void {
  if (json) {
    shell.stderr.write(`${JSON.stringify(fault)}\n`)
    return
  }
  shell.stderr.write(`error: ${oneLine(fault.message)}\nremedy: ${oneLine(fault.remedy)}\n`)
  const request = fault.details['requestId']
  if (fault.kind === 'bug' && request !== undefined) shell.stderr.write(`request: ${request}\n`)
}

const oneLine = (text: string) => text.replace(/\s*\r?\n\s*/g, ' ').trim()
