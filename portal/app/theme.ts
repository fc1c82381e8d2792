import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** The one accent. Shade 7 on white, white on shades 6 and 7, and shade 4 on the dark background have a contrast of more than 4.5 to 1. */
const arch: MantineColorsTuple = [
  '#effcf9',
  '#d5f5ee',
  '#a9e8dc',
  '#74d6c6',
  '#42bdac',
  '#1fa192',
  '#148377',
  '#0f6961',
  '#0d544e',
  '#0a4540',
]

/** Calm and dense, for people who keep it open all day. */
export const theme = createTheme({
  primaryColor: 'arch',
  primaryShade: { light: 7, dark: 6 },
  colors: { arch },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.0625rem' }, h3: { fontSize: '0.9375rem' } } },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm' } },
    // By keyboard and by touch too: what is only told to a mouse is not told.
    Tooltip: { defaultProps: { openDelay: 300, multiline: true, maw: 360, events: { hover: true, focus: true, touch: true } } },
  },
})
