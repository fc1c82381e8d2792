import { Fault } from '@postern/protocol/fault.ts'

/** Why a port could not be opened, in words of `service start`; what is none of that stays as it is. `what`: behind the port's number. */
export function listenFault(
  cause: unknown,
  { host, port, what = '' }: { readonly host: string; readonly port: number; readonly what?: string },
): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const behind = what === '' ? '' : `, ${what}`
  if (code === 'EADDRINUSE') return new Fault('PORT_TAKEN', { at: `${host}:${port}${behind}.`, details: { port }, cause })
  if (code === 'EACCES')
    return new Fault('FILE_DENIED', { at: `Port ${port}${behind} needs more rights.`, remedy: 'Choose a port above 1023.', cause })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new Fault('CONFIG_INVALID', { at: `--host ${host} is no address of this machine.`, cause })
  return cause
}
