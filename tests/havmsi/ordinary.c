void test_ordinary(void);
void test_ordinary(void)
{
}
