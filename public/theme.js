// Before the first paint: the theme that was chosen in this browser (components/settings/theme.ts writes it).
try {
  const theme = localStorage.getItem('satchel-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system's theme holds.
}
