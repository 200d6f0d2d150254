// The end of what fermata/core/rows.h began. Core header.

#undef CODE
#undef TEXT
#undef FN
#undef TYPE
#undef C1
#undef S1
#undef S2
#undef S4
#undef S8
#undef S16
#undef S32
#undef Shared_resume
#undef X
#undef D
