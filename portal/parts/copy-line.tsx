import { Button, Code, CopyButton, Group } from '@mantine/core'

/** A line to be typed elsewhere, with a button that copies it. */
export function CopyLine({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Code block flex={1} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button variant="light" onClick={copy} aria-live="polite">
            {copied ? 'Copied' : label}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
