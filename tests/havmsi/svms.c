void test_svms(void);
void test_svms(void)
{
}
