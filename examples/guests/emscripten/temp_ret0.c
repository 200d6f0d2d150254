// Emscripten 3.1.6 expects these of its JavaScript in programs that call longjmp; newer ones don't.
static int value;
void setTempRet0(int v) { value = v; }
int getTempRet0(void) { return value; }
