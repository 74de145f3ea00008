"""Pure work on the model as data; no window, no process, no framework outside the conversion edges."""
