/** What the client that asks for a rotation of a gateway's key, and the node that does it, agree on. */
export const ROTATION_INFO = 'postern/rotation/v1'

export const rotationText = (gatewayId: string, publicKey: string): string => JSON.stringify([ROTATION_INFO, gatewayId, publicKey])
